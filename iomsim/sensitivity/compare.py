"""Scenarios on the same random numbers: what a difference in the assumptions is worth.

How runs are paired: what a run draws once is addressed by seed, block and purpose, a sponsor's
campaign by the sponsor's name too, and lies in arrays by candidate, group and member; what happens
inside rounds is addressed by run, round, candidate and member.  Nothing is drawn for a parameter or
a tie.  So

* another value of any parameter, other rules, another clock, further or reordered ties, pins and
  sponsors shift nobody's numbers;
* a sponsor under another name is another campaign, with numbers of its own;
* candidates and members are told apart by their place: in another order they cannot be paired.

Whatever the pairing, the interval of a difference is honest, as it is measured run by run; the
better the pairing, the shorter it is.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from iomsim.engine.rng import fresh_seed
from iomsim.errors import IomsimError, PairingError, quote, whole_number
from iomsim.forecasting.forecast import Forecast
from iomsim.forecasting.result import Result, frame
from iomsim.forecasting.run import refuse_what_does_not_fit, whole_forecast
from iomsim.forecasting.tables import NO_WINNER
from iomsim.forecasting.targets import (
    ROUNDS,
    SPILL,
    checked_target,
    describe_target,
    format_value,
    next_weekday,
    targets,
)
from iomsim.house_style import capital, unfit_name
from iomsim.model.assumptions import DRAWS, drawn
from iomsim.model.differences import differences, phrase
from iomsim.model.scenario import Scenario
from iomsim.sensitivity.paired import RunOutcomes, change_over_draws, forecast_means, run_outcomes

DEFAULT_RUNS = 10_000

WORTH_A_WORD = 0.01
"""A change of P(no winner) below this is left to the table."""


def compare(
    a: Scenario | Forecast,
    b: Scenario | Forecast,
    *,
    runs: int | None = None,
    seed: int | None = None,
    assumptions: int | str | None = None,
    names: Sequence[str] | None = None,
    executor: Any = None,
    progress: bool = True,
) -> Comparison:
    """Compare two scenarios run by run, on common random numbers and the same draws of the assumptions.

    What both believe alike is drawn alike on both sides, so that a difference has a range over the assumptions too;
    what one of them knows, or believes otherwise, is drawn at the same quantiles of its own range.

    Parameters
    ----------
    a, b : Scenario or Forecast
        What is compared.  Beside a forecast, a scenario is played with its seed, runs and assumptions.  Two
        forecasts that cannot be paired, of another seed or number of runs for instance, are compared unpaired, and
        the result says so.
    runs : int, default 10_000
        For two scenarios: how many runs.
    seed : int, optional
        For two scenarios: the seed of both; None draws one.
    assumptions : int or "fixed", default 400
        For two scenarios: how many draws of the assumptions, as in :func:`iomsim.forecast`; "fixed" compares the
        best guesses.
    names : pair of str, optional
        What the two are called, in the columns of the table.  Default: their titles, if these differ; else "a", "b".
    executor : object with ``map`` or ``submit``, optional
        Where runs are played.
    progress : bool, default True
        Show a bar on stderr once the work has taken two seconds.

    Returns
    -------
    Comparison

    Raises
    ------
    PairingError
        If other candidates stand.
    IomsimError
        If the names are not two different ones.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> same = iom.compare(race, race, runs=500, seed=1).table()
    >>> float(same["difference"].abs().max())
    0.0
    >>> four = iom.compare(race, race.with_rules("four-rounds"), runs=500, seed=1, names=("as read", "four rounds"))
    >>> four.table().columns.tolist()[:4]
    ['as read', 'four rounds', 'difference', 'difference_low']
    """
    called = None if names is None else _two_names(names)
    one, other = forecasts([a, b], runs, seed, assumptions, executor, progress)
    if one.race.names != other.race.names:
        raise PairingError(pairing_problem(one, other))
    return Comparison(one, other, pairing_problem(one, other), called or _titles(one, other))


def _two_names(names: Sequence[str]) -> tuple[str, str]:
    """Return what two sides are called, if it is two different names."""
    called = () if isinstance(names, str) else tuple(names)
    fit = [name for name in called if isinstance(name, str) and not unfit_name(name) and name not in DIFFERENCE]
    if len(fit) != 2 or len(called) != 2 or fit[0] == fit[1]:
        raise IomsimError(f'names must be two different ones, such as ("secret", "public"), got {quote(names)}')
    return fit[0], fit[1]


def _titles(one: Forecast, other: Forecast) -> tuple[str, str]:
    """Return what two sides are called unless it is said."""
    titles = one.race.title, other.race.title
    return ("a", "b") if titles[0] == titles[1] or {*titles} & {*DIFFERENCE} else titles


def side_by_side(
    variants: Mapping[str, Scenario | Forecast],
    *,
    runs: int | None = None,
    seed: int | None = None,
    assumptions: int | str | None = None,
    executor: Any = None,
    progress: bool = True,
) -> SideBySide:
    """Forecast named variants of an election on the same random numbers; the first is the base.

    Parameters
    ----------
    variants : mapping of str to Scenario or Forecast
        At least two, with the same candidates and members.
    runs, seed, assumptions, executor, progress
        As in :func:`compare`.

    Returns
    -------
    SideBySide

    Raises
    ------
    PairingError
        If a variant cannot be paired with the first; the sentence names it and says why.

    Examples
    --------
    >>> import iomsim as iom
    >>> race = iom.load("geneva-2023")
    >>> beside = iom.side_by_side({
    ...     "as sponsored": race,
    ...     "no pressure": race.with_pressure(Washington=0, Brussels=0),
    ...     "three rounds, then the leader alone": race.with_rules("four-rounds"),
    ... }, runs=500, seed=1)
    >>> beside.table("spill").index.tolist()
    ['as sponsored', 'no pressure', 'three rounds, then the leader alone']
    """
    if not isinstance(variants, Mapping) or len(variants) < 2:
        raise IomsimError('side_by_side takes two or more variants by name: {"as it is": race, "public": other}')
    made = dict(
        zip(variants, forecasts(list(variants.values()), runs, seed, assumptions, executor, progress), strict=True)
    )
    base, *others = made.items()
    for name, fc in others:
        if problem := pairing_problem(base[1], fc):
            raise PairingError(f"{quote(name)} cannot be put beside {quote(base[0])}: {problem}")
    return SideBySide(made)


def forecasts(
    races: Sequence[Scenario | Forecast],
    runs: int | None,
    seed: int | None,
    assumptions: int | str | None,
    executor: Any,
    progress: bool,
) -> list[Forecast]:
    """Return forecasts on the same random numbers; those that are forecasts already say which.

    Raises
    ------
    PairingError
        If something is neither, or runs, a seed or assumptions are asked for that the forecasts do not have.
    """
    for race in races:
        if not isinstance(race, Scenario | Forecast):
            raise PairingError(f"scenarios and forecasts can be compared, got {type(race).__name__}")
    wanted: dict[str, Any] = {"runs": runs, "seed": seed, "assumptions": assumptions}
    first = next((race for race in races if isinstance(race, Forecast)), None)
    if first is not None:
        for what, asked in wanted.items():
            has = first.provenance[what]
            if asked is not None and asked != has:
                raise PairingError(f"the forecast given has {what} {has}; leave {what}={asked} out, or give scenarios")
            wanted[what] = has
    usual = {"runs": DEFAULT_RUNS, "seed": fresh_seed(), "assumptions": DRAWS}
    wanted = {what: usual[what] if asked is None else asked for what, asked in wanted.items()}
    cases = [(race, drawn(race, wanted["seed"], wanted["assumptions"])) for race in races if isinstance(race, Scenario)]
    refuse_what_does_not_fit(cases, wanted["seed"], whole_number("runs", wanted["runs"], 1))
    return [
        race if isinstance(race, Forecast) else whole_forecast(race, **wanted, executor=executor, progress=progress)
        for race in races
    ]


def pairing_problem(a: Forecast, b: Forecast) -> str:
    """Return why two forecasts cannot be paired run by run, or nothing."""
    names, members = ([list(fc.race.names) for fc in (a, b)], [list(fc.race.electorate.frame["id"]) for fc in (a, b)])
    for kind, (one, other) in (("candidates", names), ("members", members)):
        odd = sorted(set(one) ^ set(other))
        if odd:
            more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
            return f"the {kind} differ, so that runs cannot be paired: {', '.join(odd[:3])}{more} only in one of them"
        if one != other:
            return f"the {kind} stand in another order, so that runs cannot be paired; put them in the same order"
    if a.seed != b.seed:
        return f"the seeds differ ({a.seed} and {b.seed}); make both forecasts with the same seed"
    if len(a) != len(b):
        return f"the numbers of runs differ ({len(a)} and {len(b)}); make both with the same runs"
    if a.provenance["assumptions"] != b.provenance["assumptions"]:
        one, other = (fc.provenance["assumptions"] for fc in (a, b))
        return f"the draws of the assumptions differ ({one} and {other}); make both with the same assumptions"
    if len(a) < 2:
        return "one run is not enough to compare; make both forecasts with more runs"
    if a.version != b.version:
        return f"the forecasts were made by versions {a.version} and {b.version}; make them again with the same one"
    if a.announced or b.announced:
        return "a forecast that knows announced rounds has no runs to pair; compare the forecasts' tables instead"
    if a.outcomes is None or b.outcomes is None:
        return "a forecast that kept only its summary cannot be paired; make it with keep='runs'"
    return ""


DIFFERENCE = ("difference", "difference_low", "difference_high", "difference_error", "clear")
"""A difference, and what stands beside it: its range over the assumptions, its error, and whether it is told from 0."""

Change = tuple[float, float, float, float, bool]
"""A difference, and what stands beside it."""


def paired_changes(a: Forecast, b: Forecast) -> dict[str, Change]:
    """Return by outcome how the second forecast differs from the first, run by run."""
    if a.race.hash == b.race.hash:
        end = 0.0 if a.summary.draws else np.nan
        return dict.fromkeys(targets(a.race), (0.0, end, end, 0.0, False))
    left, right = kept_outcomes(a), kept_outcomes(b)
    out = {}
    for name in targets(a.race):
        change, low, high, error = change_over_draws(right[name] - left[name], a.all_outcomes.draw, a.summary.draws)
        out[name] = (change, low, high, error, abs(change) > error)
    return out


def kept_outcomes(fc: Forecast) -> RunOutcomes:
    """Return what a what-if looks at, run by run, in a forecast that kept its runs."""
    return run_outcomes(fc.race.plan, fc.all_outcomes)


class OfForecasts(Result):
    """A what-if between forecasts, which share their seed and their number of runs."""

    @property
    @abstractmethod
    def base(self) -> Forecast:
        """The first forecast."""

    @property
    def race(self) -> Scenario:  # type: ignore[override]
        """The first scenario."""
        return self.base.race

    @property
    def seed(self) -> int:  # type: ignore[override]
        """The seed of all."""
        return self.base.seed

    @property
    def runs(self) -> int:  # type: ignore[override]
        """Runs of each."""
        return len(self.base)

    def stamp(self) -> str:
        """Return what is needed to make this again, in one line, with what was played of the assumptions and rules."""
        draws, several = self.base.draws, len(self.base.rules_played) - 1
        of = ", assumptions fixed" if draws is None else f" of {draws.count} draws of the assumptions"
        each = f"runs {self.EACH}"
        return super().stamp().replace(each, each + of, 1) + f" and {several} other readings" * bool(several)


@dataclass(frozen=True, repr=False)
class Comparison(OfForecasts):
    """Two forecasts, paired run by run.

    Attributes
    ----------
    a, b : Forecast
        The first and the second.
    unpaired : str
        Why they are not paired run by run, or nothing.
    names : pair of str
        What the two are called.
    """

    a: Forecast
    b: Forecast
    unpaired: str = ""
    names: tuple[str, str] = ("a", "b")

    @property
    def base(self) -> Forecast:
        """The first forecast."""
        return self.a

    def table(self) -> pd.DataFrame:
        """Return the two sides and their difference.

        Returns
        -------
        DataFrame
            By outcome (candidates, "no winner", "spill": probabilities; mean "rounds"): a column for each of the two,
            by their `names`; the `difference`, the second less the first, with its range over the assumptions,
            `difference_low` to `difference_high` (missing if they are fixed, or the forecasts are not paired), and
            its Monte Carlo error, `difference_error`; and `clear`, False where the difference is within that error.
            Equal scenarios differ by exactly 0.
        """
        left, right = forecast_means(self.a), forecast_means(self.b)
        changes = self._unpaired() if self.unpaired else paired_changes(self.a, self.b)
        rows = {name: (left[name][0], right[name][0], *changes[name]) for name in targets(self.race)}
        return frame(rows, [*self.names, *DIFFERENCE], "outcome")

    def _unpaired(self) -> dict[str, Change]:
        """Return the differences of forecasts whose runs have nothing to do with one another."""
        one, other = forecast_means(self.a), forecast_means(self.b)
        errors = {name: float(np.hypot(one[name][-1], other[name][-1])) for name in one}
        moved = {name: other[name][0] - one[name][0] for name in one}
        return {name: (moved[name], np.nan, np.nan, errors[name], abs(moved[name]) > errors[name]) for name in one}

    def variance_ratio(self) -> pd.Series:
        """Return how many times more runs unpaired forecasts would need for the same error.

        Infinite where pairing leaves no error at all; 1 where there is none to begin with.

        Raises
        ------
        PairingError
            If the forecasts are not paired.
        """
        if self.unpaired:
            raise PairingError(f"these forecasts are not paired: {self.unpaired}")
        left, right = kept_outcomes(self.a), kept_outcomes(self.b)
        ratios = {name: _ratio(left[name], right[name]) for name in left}
        return pd.Series(ratios, name="variance ratio").rename_axis("outcome")

    def changes(self) -> list[str]:
        """Return what differs between the two scenarios, a phrase each."""
        return differences(self.a.race, self.b.race)

    def sentence(self) -> str:
        """Return the difference in words; what is within the simulation error is called so."""
        table = self.table()
        chances = table.loc[list(self.race.names)]
        told = chances.index[0] if len(chances) == 2 else chances["difference"].abs().idxmax()
        spill = f"the chance that voting runs into {self._day()}"
        parts = [chance_moves(str(told), table.loc[told]), moves(spill, table.loc[SPILL])]
        nobody = table.loc[NO_WINNER]
        if nobody["clear"] and abs(nobody["difference"]) >= WORTH_A_WORD:
            parts.append(moves("the chance of no winner", nobody))
        note = f" (not paired: {self.unpaired})" if self.unpaired else ""
        fixed = not (self.a.summary.draws or self.b.summary.draws)
        return f"{begun(phrase(self.changes()), fixed)} {'; '.join(parts)}{note}."

    def _day(self) -> str:
        """Return the weekday that "spill" means, if it is the same on both sides."""
        days = {next_weekday(fc.race) for fc in (self.a, self.b)}
        return days.pop() if len(days) == 1 else "a second day"


def _ratio(x: np.ndarray, y: np.ndarray) -> float:
    apart, together = float(x.var(ddof=1) + y.var(ddof=1)), float((y - x).var(ddof=1))
    if together == 0:
        return np.inf if apart else 1.0
    return apart / together


@dataclass(frozen=True, repr=False)
class SideBySide(OfForecasts):
    """Named variants of an election, paired run by run with the first.

    Attributes
    ----------
    forecasts : dict of Forecast
        By name; the first is the base.
    """

    forecasts: dict[str, Forecast]

    @property
    def base(self) -> Forecast:
        """The first forecast."""
        return next(iter(self.forecasts.values()))

    def table(self, target: str | None = None) -> pd.DataFrame:
        """Return each variant, and how it differs from the first.

        Parameters
        ----------
        target : str, optional
            One of the outcomes; default: all, below one another.

        Returns
        -------
        DataFrame
            By variant (and outcome): the `value` (a probability, or the mean rounds) with its range over the
            assumptions, `low` to `high`, and its Monte Carlo error, `mc_error`; the paired `change` against the
            first variant with its range, `change_low` to `change_high`, and its error, `change_error`; `clear`,
            False where the change is within that error.
        """
        if target is not None:
            return self._one(checked_target(self.race, target))
        parts = {name: self._one(name) for name in targets(self.race)}
        return pd.concat(parts, names=["outcome", "variant"])

    def _one(self, target: str) -> pd.DataFrame:
        rows = {}
        for name, fc in self.forecasts.items():
            rows[name] = (*forecast_means(fc)[target], *paired_changes(self.base, fc)[target])
        columns = ["value", "low", "high", "mc_error", "change", "change_low", "change_high", "change_error", "clear"]
        return frame(rows, columns, "variant")

    def sentence(self, target: str | None = None) -> str:
        """Return the variants' values of one target (default: the first candidate's win) in words."""
        target = checked_target(self.race, target)
        table = self.table(target)
        say = [
            format_value(value, target, error) for value, error in zip(table["value"], table["mc_error"], strict=True)
        ]
        unit = "" if target == ROUNDS else " in 100"
        parts = [f"{name} {value}" for name, value in zip(table.index, say, strict=True)]
        what = describe_target(self.race, target)
        same = [str(name) for name in table.index[1:][~table["clear"].iloc[1:]]]
        noise = f"; within noise of {table.index[0]}: {', '.join(same)}" if same else ""
        return f"{begun(capital(what), not self.base.summary.draws)}{unit}: {', '.join(parts)}{noise}."


# -- words ---------------------------------------------------------------------------------------

HARDLY = 0.0005
"""A change that is smaller than this, whatever the luck, shows no digit in points."""


def chance_moves(name: str, row: pd.Series) -> str:
    """Return how a candidate's chance moves, and its range over the assumptions if it is known.

    Examples
    --------
    >>> row = pd.Series([-0.141, -0.24, -0.06, 0.01, True], DIFFERENCE)
    >>> chance_moves("Pope", row)
    "Pope's chance falls by 14 points (6 to 24 over the assumptions)"
    """
    return moves(f"{name}'s chance", row)


def begun(sentence: str, fixed: bool) -> str:
    """Return the beginning of a sentence, which says so where no assumption was moved.

    Examples
    --------
    >>> begun("Without Washington's pressure", fixed=True)
    "On the best guesses, without Washington's pressure"
    """
    if not fixed:
        return sentence
    plain = sentence.startswith(("With ", "Without ", "The chance ", "The mean "))
    return f"On the best guesses, {sentence[0].lower() if plain else sentence[0]}{sentence[1:]}"


def moves(what: str, row: pd.Series) -> str:
    """Return how the chance of something moves.

    Examples
    --------
    >>> row = pd.Series([0.002, np.nan, np.nan, 0.006, False], DIFFERENCE)
    >>> moves("the chance of Tuesday", row)
    'the chance of Tuesday does not move beyond the simulation error (0.6 points)'

    What moves nothing on average may move something given the assumptions:

    >>> row = pd.Series([0.001, -0.08, 0.09, 0.006, False], DIFFERENCE)
    >>> moves("A's chance", row)
    "A's chance does not move on average, but by -8 to +9 points over the assumptions"
    """
    if row["clear"]:
        return f"{what} {'falls' if row['difference'] < 0 else 'rises'} by {points(row)}"
    if row["difference_high"] - row["difference_low"] > max(2 * WORTH_A_WORD, 2 * row["difference_error"]):
        low, high = (f"{100 * row[f'difference_{end}']:+.0f}" for end in ("low", "high"))
        return f"{what} does not move on average, but by {low} to {high} points over the assumptions"
    if abs(row["difference"]) + row["difference_error"] < HARDLY:
        return f"{what} does not move"
    return f"{what} does not move beyond the simulation error ({100 * row['difference_error']:.1f} points)"


def points(row: pd.Series) -> str:
    """Return the size of a clear difference in points, with its range over the assumptions and no digit too many.

    Examples
    --------
    >>> points(pd.Series([0.009, np.nan, np.nan, 0.002], DIFFERENCE[:4]))
    '0.9 points'
    """
    sign = -1 if row["difference"] < 0 else 1
    digits = 0 if 100 * abs(row["difference"]) >= 2 or row["difference_error"] > 0.005 else 1
    said = f"{100 * abs(row['difference']):.{digits}f}"
    size = f"{said} {'point' if said in ('1', '1.0') else 'points'}"
    if np.isnan(row["difference_low"]):
        return size
    low, high = sorted(100 * sign * row[f"difference_{end}"] for end in ("low", "high"))
    least, most = f"{abs(low):.{digits}f}", f"{high:.{digits}f}"
    if low < 0 and float(least):
        one, other = ("rise", "fall") if sign < 0 else ("fall", "rise")
        least, most = f"from a {one} of {least}", f"a {other} of {most}"
    return f"{size} ({least} to {most} over the assumptions)"
